#!/usr/bin/env python3
"""Serve this service: `python run_web.py --help` lists the options."""

from chassis.serving.command import main

if __name__ == "__main__":
    main()
