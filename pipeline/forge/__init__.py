"""Where the project's code is kept and reviewed: GitHub or GitLab.

``place.py`` finds out which one, from what CI systems set; ``http.py`` asks it; ``github.py`` and ``gitlab.py`` say what
differs between the two. They read, post and edit the comments of one pull request, and nothing else.
"""
