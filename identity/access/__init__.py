"""Who may do what: roles, assignments, organizations, object grants, operator visits. Knows users by id.

Tables owned: Role, RoleAssignment, Organization, Membership, ObjectGrant, OperatorVisit. Says role.*, organization.*,
membership.*, grant.* and visit.* events. Hears none.
"""
