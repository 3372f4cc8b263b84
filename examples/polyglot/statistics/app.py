"""Numbers about numbers: exports `sampling`, whose resource componentize-py looks for in the module of that name."""

import sampling  # noqa: F401
