"""What can go wrong with a cluster; each message says what to do or shows the end of a log."""


class ClusterError(Exception):
    """A cluster could not be built, started or used."""


class BuildError(ClusterError):
    """A program or an image could not be built."""


class MissingError(ClusterError):
    """The machine lacks something that we cannot bring."""


class NotReadyError(ClusterError):
    """Something did not happen in time, or can no longer happen."""
