"""Meta's Graph API by requests: Instagram content publishing under both logins."""

from adapters.meta.account_media import CdnPictures, MetaAccountMedia
from adapters.meta.accounts import MetaAccounts
from adapters.meta.graph import CredentialSource, GraphHosts
from adapters.meta.publisher import MetaPublisher
from domain.tokens import Credentials

__all__ = [
    "CdnPictures",
    "CredentialSource",
    "Credentials",
    "GraphHosts",
    "MetaAccountMedia",
    "MetaAccounts",
    "MetaPublisher",
]
