"""One estimate a claim: a pure function from the frames to a number with its interval."""

from .gaussian import GAUSSIAN_ESTIMATES
from .monks import MONKS_ESTIMATES
from .nettalk import NETTALK_ESTIMATES
from .theory import THEORY_ESTIMATES
from .xor import XOR_ESTIMATES

ESTIMATES = {
    **MONKS_ESTIMATES,
    **XOR_ESTIMATES,
    **THEORY_ESTIMATES,
    **NETTALK_ESTIMATES,
    **GAUSSIAN_ESTIMATES,
}
