"""Comments of a pull request on GitHub, or on a GitHub Enterprise Server."""

from collections.abc import Iterator
from typing import Any

from pipeline.forge import http
from pipeline.forge.comment import Comment
from pipeline.forge.place import Place

LONGEST = 65_536
"""Characters that a comment may have."""
PAGE = 100


class GitHub:
    """One pull request there."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._headers = {
            "Authorization": f"Bearer {place.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._issues = f"{place.api}/repos/{place.repository}/issues"
        self.longest = LONGEST

    def comments(self) -> Iterator[Comment]:
        """Give the comments that the token's owner has written.

        The token of a job belongs to no user, and is not told its name: its comments are among those of bots.
        """
        name = self._user()
        for each in http.pages(
            self.place, self._headers, f"{self._issues}/{self.place.number}/comments?per_page={PAGE}"
        ):
            author: dict[str, Any] = each.get("user") or {}
            if author.get("login") == name if name is not None else author.get("type") == "Bot":
                yield Comment(each["id"], each.get("body") or "", each.get("html_url", ""))

    def _user(self) -> str | None:
        try:
            return str(http.ask(self.place, self._headers, "GET", f"{self.place.api}/user").content["login"])
        except http.RefusedError as error:
            if error.status == http.FORBIDDEN:
                return None
            raise

    def create(self, body: str) -> Comment:
        """Post a new comment."""
        address = f"{self._issues}/{self.place.number}/comments"
        made = http.ask(self.place, self._headers, "POST", address, {"body": body}).content
        return Comment(made["id"], body, made.get("html_url", ""))

    def edit(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment."""
        http.ask(self.place, self._headers, "PATCH", f"{self._issues}/comments/{comment.id}", {"body": body})
        return Comment(comment.id, body, comment.address)
