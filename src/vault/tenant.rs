//! Making a tenant by the SaaS's own id for it. The same again is the same tenant: a back end that
//! lost the answer asks once more.

use crate::{
    app::App,
    domain::{
        ids::{RequestId, TenantId},
        webhook::EventType,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        tenant::listed::{self, Tenant},
    },
    webhooks::event::{self, Event},
};

#[derive(Debug)]
pub(crate) struct MakeTenant {
    pub(crate) external_id: String,
    pub(crate) name: String,
    /// As the caller wants it.
    pub(crate) slug: Option<String>,
    /// Where the caller wants none in particular.
    pub(crate) generated: String,
}

/// Who makes it.
#[derive(Debug)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    pub(crate) request_id: RequestId,
    pub(crate) peer: String,
}

#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) tenant: Tenant,
    /// It was there before, with the same name and slug.
    pub(crate) existed: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TenantError {
    #[error("the external id belongs to a tenant of another name or slug")]
    ExternalIdTaken,
    /// Its external id is free when that is through.
    #[error("the external id belongs to a tenant that is being deleted")]
    BeingDeleted,
    #[error("the slug belongs to another tenant")]
    SlugTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) async fn make_tenant(app: &App, wanted: &MakeTenant, by: By) -> Result<Made, TenantError> {
    let now = app.clock.shared_now();
    let new = Tenant {
        tenant_id: TenantId::new(),
        external_id: Some(wanted.external_id.clone()),
        name: wanted.name.clone(),
        slug: wanted.slug.as_ref().unwrap_or(&wanted.generated).clone(),
    };
    let mut tx = app.pools.begin_as_engine().await?;
    if listed::insert(&mut *tx, &new, now).await? {
        let event = AuditEvent {
            actor: by.actor,
            action: "tenant_created",
            outcome: "done",
            tenant_id: Some(new.tenant_id),
            connection_id: None,
            peer: Some(by.peer),
            request_id: Some(by.request_id),
            detail: None,
        };
        audit_event::insert(&mut *tx, &event, now).await?;
        let created = Event::of_tenant(EventType::TenantCreated, new.tenant_id, new.external_id.as_deref(), &new.name);
        event::insert(&mut tx, created, now).await?;
        tx.commit().await?;
        return Ok(Made { tenant: new, existed: false });
    }
    match listed::find_by_external_id(&mut *tx, &wanted.external_id).await? {
        Some(tenant) if is_wanted(&tenant, wanted) => Ok(Made { tenant, existed: true }),
        Some(_) => Err(TenantError::ExternalIdTaken),
        None if listed::is_being_deleted(&mut *tx, &wanted.external_id).await? => Err(TenantError::BeingDeleted),
        None => Err(TenantError::SlugTaken),
    }
}

fn is_wanted(tenant: &Tenant, wanted: &MakeTenant) -> bool {
    tenant.name == wanted.name && wanted.slug.as_ref().is_none_or(|slug| *slug == tenant.slug)
}
