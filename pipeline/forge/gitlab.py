"""Notes of a merge request on GitLab, theirs or a server of one's own."""

from collections.abc import Iterator

from pipeline.forge import http
from pipeline.forge.comment import Comment
from pipeline.forge.place import Place

LONGEST = 1_000_000
"""Characters that a note may have."""
PAGE = 100


class GitLab:
    """One merge request there."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._headers = {"PRIVATE-TOKEN": place.token}
        self._notes = f"{place.api}/projects/{place.repository}/merge_requests/{place.number}/notes"
        self.longest = LONGEST

    def comments(self) -> Iterator[Comment]:
        """Give the notes that the token's owner has written."""
        me = http.ask(self.place, self._headers, "GET", f"{self.place.api}/user").content["id"]
        for each in http.pages(self.place, self._headers, f"{self._notes}?per_page={PAGE}&sort=asc"):
            if not each.get("system") and (each.get("author") or {}).get("id") == me:
                yield Comment(each["id"], each.get("body") or "")

    def create(self, body: str) -> Comment:
        """Post a new note."""
        made = http.ask(self.place, self._headers, "POST", self._notes, {"body": body}).content
        return Comment(made["id"], body)

    def edit(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a note."""
        http.ask(self.place, self._headers, "PUT", f"{self._notes}/{comment.id}", {"body": body})
        return Comment(comment.id, body)
