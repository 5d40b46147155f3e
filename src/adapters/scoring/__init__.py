"""What scores photos: two implementations of ``domain.ports.PhotoScorer``.

Both need Pillow, so only what prepares photos may import this package; the posting function has no Pillow.
"""

from adapters.scoring.bedrock import CLIENT_CONFIG, BedrockScorer
from adapters.scoring.measured import MeasuredScorer

__all__ = ["CLIENT_CONFIG", "BedrockScorer", "MeasuredScorer"]
