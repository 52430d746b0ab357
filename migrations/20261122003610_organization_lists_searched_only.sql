-- As for connections.
drop index organization_by_trouble, organization_by_name, organization_by_last_use, organization_newest;
alter index organization_by_trouble_searched rename to organization_by_trouble;
alter index organization_by_name_searched rename to organization_by_name;
alter index organization_by_last_use_searched rename to organization_by_last_use;
alter index organization_newest_searched rename to organization_newest;
