-- Their successors are there (apart from them, so that readers are blocked for a moment only).
drop index connection_by_trouble, connection_by_organization_name, connection_by_last_use, connection_newest,
    connection_by_organization;
alter index connection_by_trouble_searched rename to connection_by_trouble;
alter index connection_by_organization_name_searched rename to connection_by_organization_name;
alter index connection_by_last_use_searched rename to connection_by_last_use;
alter index connection_newest_searched rename to connection_newest;
alter index connection_by_organization_searched rename to connection_by_organization;
