"""Meta's Graph API by requests: Instagram content publishing under both logins."""

from adapters.meta.account_media import CdnPictures, MetaAccountMedia
from adapters.meta.graph import Credentials, CredentialSource, GraphHosts
from adapters.meta.publisher import MetaPublisher

__all__ = ["CdnPictures", "CredentialSource", "Credentials", "GraphHosts", "MetaAccountMedia", "MetaPublisher"]
