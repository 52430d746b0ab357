//! Who belongs to a tenant, and as what. Changes of one tenant happen one after the other, so that of two last owners who
//! leave at once one stays (security.md S-50); each is audited, and so is each refusal.

use super::Change;
use crate::{
    app::App,
    domain::{ids::PersonId, tenant::Role},
    store::{StoreError, audit_event, browser_session, membership, tx::Tx},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum MemberError {
    #[error("nobody of that id belongs to the tenant")]
    NotThere,
    #[error("the tenant would have no owner")]
    LastOwner,
    #[error("that is beyond the role of whoever asks")]
    BeyondRole,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a member of this role may make of another who has that one. Nobody raises themselves, and administrators neither
/// make owners nor touch them.
pub(crate) fn may_change(own: Role, is_self: bool, from: Role, to: Role) -> bool {
    if is_self {
        return to <= own;
    }
    own == Role::Owner || (own == Role::Admin && from < Role::Owner && to < Role::Owner)
}

/// Everybody may leave; to remove somebody takes as much as to change their role.
pub(crate) fn may_remove(own: Role, is_self: bool, role: Role) -> bool {
    is_self || may_change(own, false, role, Role::Member)
}

/// Gives somebody another role. Their sessions end with it everywhere: they sign in to the new one (security.md S-26).
pub(crate) async fn change_role(app: &App, change: Change, person_id: PersonId, role: Role) -> Result<(), MemberError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    let (owners, own, from) = standing(&mut tx, &change, person_id).await?;
    if from == role {
        return Ok(());
    }
    let detail = format!("{person_id} {} {}", from.key(), role.key());
    if !may_change(own, person_id == change.person_id, from, role) {
        return refuse(app, tx, change, "role_changed", detail, MemberError::BeyondRole).await;
    }
    if from == Role::Owner && owners < 2 {
        return refuse(app, tx, change, "role_changed", detail, MemberError::LastOwner).await;
    }
    membership::update_role(&mut *tx, change.tenant_id, person_id, role).await?;
    browser_session::delete_of_person(&mut *tx, person_id).await?;
    audit_event::insert(&mut *tx, &change.event("role_changed", detail), now).await?;
    Ok(tx.commit().await?)
}

/// Ends a membership: one's own, or somebody else's. What they connected stays connected.
pub(crate) async fn remove(app: &App, change: Change, person_id: PersonId) -> Result<(), MemberError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    let (owners, own, role) = standing(&mut tx, &change, person_id).await?;
    let is_self = person_id == change.person_id;
    let action = if is_self { "member_left" } else { "member_removed" };
    let detail = format!("{person_id} {}", role.key());
    if !may_remove(own, is_self, role) {
        return refuse(app, tx, change, action, detail, MemberError::BeyondRole).await;
    }
    if role == Role::Owner && owners < 2 {
        return refuse(app, tx, change, action, detail, MemberError::LastOwner).await;
    }
    membership::delete(&mut *tx, change.tenant_id, person_id).await?;
    audit_event::insert(&mut *tx, &change.event(action, detail), now).await?;
    Ok(tx.commit().await?)
}

/// How many owners there are, the role of whoever asks, and that of whom it is about; all as they are now, and stay until
/// the transaction ends.
async fn standing(tx: &mut Tx, change: &Change, person_id: PersonId) -> Result<(i64, Role, Role), MemberError> {
    let owners = membership::lock_owners(tx, change.tenant_id).await?;
    let own = membership::find(&mut **tx, change.tenant_id, change.person_id).await?;
    let theirs = membership::find(&mut **tx, change.tenant_id, person_id).await?;
    Ok((owners, own.ok_or(MemberError::BeyondRole)?, theirs.ok_or(MemberError::NotThere)?))
}

async fn refuse(
    app: &App,
    mut tx: Tx,
    change: Change,
    action: &'static str,
    detail: String,
    why: MemberError,
) -> Result<(), MemberError> {
    let event = audit_event::AuditEvent { outcome: "refused", ..change.event(action, detail) };
    audit_event::insert(&mut *tx, &event, app.clock.shared_now()).await?;
    tx.commit().await?;
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s50_nobody_raises_themselves_and_administrators_leave_owners_alone() {
        use Role::{Admin, Member, Owner};
        for role in [Member, Admin] {
            assert!(!may_change(role, true, role, Owner));
            assert!(may_remove(role, true, role), "everybody may leave");
        }
        assert!(!may_change(Member, true, Member, Admin));
        assert!(may_change(Admin, true, Admin, Member) && may_change(Owner, true, Owner, Member));
        assert!(may_change(Admin, false, Member, Admin) && may_change(Admin, false, Admin, Member));
        assert!(!may_change(Admin, false, Member, Owner) && !may_change(Admin, false, Owner, Member));
        assert!(!may_remove(Admin, false, Owner) && !may_remove(Member, false, Member));
        assert!(may_change(Owner, false, Owner, Member) && may_change(Owner, false, Member, Owner));
    }
}
