"""The islands: each folder is one service, one process, one shape. They never import each other."""
