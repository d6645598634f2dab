"""Several workers of one machine as one service: connections find their session's worker, and events every client.

Used only with more than one worker; chassis/docs/workers.md describes it.
"""
