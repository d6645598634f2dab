"""What `make deploy-proof` does: each module here has `prove(report)` and runs one way of deploying for real."""
