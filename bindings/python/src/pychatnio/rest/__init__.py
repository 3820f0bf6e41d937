"""The companion HTTP calls: stored conversations, the quota, models, whether a key is good.

```python
from pychatnio import rest

client = rest.Client("wss://chat.example.com/api", "sk-...")
print(client.call(rest.quota()), "left")
for conversation in client.call(rest.conversations()):
    print(conversation.id, conversation.name)
```

A `Call` does no I/O: `Call.request` gives the HTTP request as data, `Call.decode` reads the answer, for those who have
an HTTP client of their own. `Client` and `AsyncClient` do the rest over the standard library. No redirect is followed:
the key would go along.
"""

from __future__ import annotations

from .aio import AsyncClient
from .call import Call, HttpRequest
from .calls import (
    api_key,
    billing_limits,
    billing_usage,
    buy,
    charges,
    conversation,
    conversations,
    delete_conversation,
    delete_mask,
    delete_share,
    info,
    invite,
    market,
    masks,
    models,
    package,
    plans,
    quota,
    redeem,
    rename_conversation,
    save_mask,
    share_conversation,
    shared_conversation,
    shares,
    subscribe,
    subscription,
    user,
)
from .client import Client
from .results import (
    BillingLimits,
    BillingUsage,
    Charge,
    Conversation,
    Info,
    Mask,
    Message,
    Model,
    Package,
    Share,
    SharedConversation,
    Subscription,
    Usage,
    User,
)

__all__ = [
    "AsyncClient",
    "BillingLimits",
    "BillingUsage",
    "Call",
    "Charge",
    "Client",
    "Conversation",
    "HttpRequest",
    "Info",
    "Mask",
    "Message",
    "Model",
    "Package",
    "Share",
    "SharedConversation",
    "Subscription",
    "Usage",
    "User",
    "api_key",
    "billing_limits",
    "billing_usage",
    "buy",
    "charges",
    "conversation",
    "conversations",
    "delete_conversation",
    "delete_mask",
    "delete_share",
    "info",
    "invite",
    "market",
    "masks",
    "models",
    "package",
    "plans",
    "quota",
    "redeem",
    "rename_conversation",
    "save_mask",
    "share_conversation",
    "shared_conversation",
    "shares",
    "subscribe",
    "subscription",
    "user",
]
