"""What a pod is for, by the label that says so."""

from enum import StrEnum


class Workload(StrEnum):
    """What a pod is for."""

    TRAINING = "training"
    INFERENCE = "inference"
    DEV = "dev"
    TENANT = "tenant"
    UNCLASSIFIED = "unclassified"
