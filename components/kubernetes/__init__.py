"""The Kubernetes target: every component with the Args of ``components/args.py``, as objects of one namespace."""
