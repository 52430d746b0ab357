-- Their wider successors are there (apart from them, so that readers are blocked for a moment only).
drop index connection_by_trouble, connection_by_organization_name, connection_by_last_use, connection_of_all;
alter index connection_by_trouble_wider rename to connection_by_trouble;
alter index connection_by_organization_name_wider rename to connection_by_organization_name;
alter index connection_by_last_use_wider rename to connection_by_last_use;
alter index connection_of_all_wider rename to connection_of_all;
