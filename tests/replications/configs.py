"""What experiments are run on in tests, in place of a composed configuration."""


class Settings:
    """The nodes that a test needs, as the run hands them over."""

    def __init__(self, **nodes):
        self.__dict__.update(nodes)
