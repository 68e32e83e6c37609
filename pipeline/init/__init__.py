"""``python -m pipeline init``: looks at a Django project and writes the stack file that deploys it.

Nothing of the project is imported or run, and nothing in it is changed: files are read, Python is parsed. One module for
each thing that is looked for; each has ``find``, which gives settings and what could not be found (``finding.py``).
``project.py`` has the list of them, ``stackfile.py`` writes what they gave.
"""
