"""Flask's ways, kept where clients of the moved endpoints may have come to depend on them.

| what | Flask, and this app | FastAPI by itself | in |
|---|---|---|---|
| JSON | sorted keys, ASCII, newline; dates as in HTTP | as declared, UTF-8; ISO dates | `json` |
| repeated query key | the first wins | the last | `requests` |
| a body that is not JSON | 415, 400 or 413, after the login is checked | 422, before anything else | `requests` |
| field messages | written by hand, for people | pydantic's | `fields` |
| errors | one shape, no echo of what was sent | `{"detail": ...}` | `errors` |
| HEAD, OPTIONS | answered for every rule | 405 | `rules` |
| 405 | Allow lists the methods of all rules of the path | those of the first | `rules` |
| `//` | 308 to the path with one slash | 404 | `rules` |
| Vary | `Cookie` always: Flask-Login looks every time | where the session is read | `rules` |

When the last client is known not to mind, a module can go, and FastAPI's own way takes over.
"""
