"""The two spirals of Wieland (MITRE): two classes that wind three times round each other."""

from __future__ import annotations

import math

import torch

from oldschool.data.task import Task

PAIRS = 97


def two_spirals() -> Task:
    """The 194 points as Fahlman & Lebiere (1990) used them.

    Point i = 0..96 of the positive spiral lies at the angle a = i pi / 16 and the radius
    r = 6.5 (104 - i) / 104, x = r sin a, y = r cos a; after each comes the point (-x, -y) of the
    negative one. The file that Carnegie Mellon hands round has x and y swapped, a mirror image.

    Returns:
        x (194, 2) unscaled, t (194, 1) of 0.5 and -0.5 in turn, float64.
    """
    i = torch.arange(PAIRS, dtype=torch.float64)
    angle = i * (math.pi / 16)
    radius = 6.5 * (104 - i) / 104
    positive = torch.stack([radius * angle.sin(), radius * angle.cos()], 1)
    x = torch.stack([positive, -positive], 1).view(2 * PAIRS, 2)
    t = torch.tensor([[0.5], [-0.5]], dtype=torch.float64).repeat(PAIRS, 1)
    return Task(x, t)
