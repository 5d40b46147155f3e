"""The names of things: persona, photo, container, media, run."""

from typing import NewType

PersonaId = NewType("PersonaId", str)
"""The owner's own name for an account: lower-case letters, digits and hyphens, e.g. ``default``."""

PhotoId = NewType("PhotoId", str)
"""SHA-256 of the uploaded bytes, 64 hexadecimal digits: the same picture under another name is the same photo."""

ContainerId = NewType("ContainerId", str)
"""Instagram's id of a media container. Always a string: the numbers exceed what JSON readers keep exactly."""

MediaId = NewType("MediaId", str)
"""Instagram's id of a published media, which our records call ``provider_post_id``."""

RunId = NewType("RunId", str)
"""The owner of a lease: fresh for every run. Not Lambda's request id, which two deliveries of one event share."""
