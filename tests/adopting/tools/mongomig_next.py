"""What mongomig would run next: run by a Python that has mongomig, in the project's folder."""

from mongomig.api import current_state

print("\n".join(current_state().pending))
