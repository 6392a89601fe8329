"""The kinds of nets that methods for one large net take."""

from oldschool.nets.mlp import Mlp
from oldschool.nets.stack import Stack

Net = Mlp | Stack
