-- As for connections.
drop index organization_by_trouble, organization_by_name, organization_by_last_use;
alter index organization_by_trouble_wider rename to organization_by_trouble;
alter index organization_by_name_wider rename to organization_by_name;
alter index organization_by_last_use_wider rename to organization_by_last_use;
