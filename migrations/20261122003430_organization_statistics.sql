-- As for connections.
create statistics organization_of_tenant (mcv) on tenant_id, trouble, product, data_centre from organization;
