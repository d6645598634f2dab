"""Your features: every package in this folder is loaded as one."""
