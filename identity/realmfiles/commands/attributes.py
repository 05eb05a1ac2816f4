"""Custom attributes in a realm file, and what people have of them."""

from functools import partial

from identity.accounts.commands import (
    change_attribute,
    define_attribute,
    delete_attribute,
    order_attributes,
    set_attributes,
)
from identity.accounts.models import User
from identity.accounts.queries import find_attributes
from identity.realmfiles.commands.people import PeoplePass
from identity.realmfiles.commands.places import at_place
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import UserPart


class AttributesPass(PeoplePass):
    """What a realm keeps of its people."""

    def attributes(self) -> None:
        """Those of the file, in its order; others that there are stay, behind them."""
        known = {each.name: each for each in find_attributes(self.actor)}
        for at, part in enumerate(self.document.attributes or []):
            path, found = f"attributes[{at}]", known.get(part.name)
            fields = part.model_dump(exclude={"name", "type"}, exclude_none=True)
            if found is None:
                at_place(path, partial(define_attribute, self.actor, name=part.name, type=part.type, **fields))
            elif found.type != part.type:
                raise RealmFileInvalid([(f"{path}.type", "An attribute's type never changes: give it another name.")])
            else:
                at_place(path, partial(change_attribute, self.actor, attribute_id=found.pk, **fields))
        if self.document.attributes:
            names = [part.name for part in self.document.attributes]
            at_place("attributes", partial(order_attributes, self.actor, names=names))

    def prune_attributes(self) -> None:
        """What the file doesn't name, with its values."""
        if self.document.attributes is not None:
            named = {part.name for part in self.document.attributes}
            for each in find_attributes(self.actor):
                if each.name not in named:
                    at_place("attributes", partial(delete_attribute, self.actor, attribute_id=each.pk))

    def user_more(self, user: User, part: UserPart, path: str) -> None:
        """The values that the file names."""
        if part.attributes:
            at_place(path, partial(set_attributes, self.actor, user_id=user.pk, values=part.attributes))
