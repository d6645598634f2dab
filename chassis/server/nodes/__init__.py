"""Several machines that Redis connects: what one publishes reaches the others, also after an outage.

Each process is a node. It numbers its messages, keeps the recent ones, and says every second how far it has come; a
node that finds a gap asks for what it missed, so Redis needs to keep nothing.
"""
