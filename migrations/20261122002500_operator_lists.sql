-- Connections of all tenants, trouble first. One index serves every filter: a list of some data centres and products
-- merges the beginnings of each; there are few of both.
create index connection_of_all on connection (data_centre, product, trouble, connection_id);

-- What operators search by prefix, wherever it is: organizations and people are few beside connections, and seldom change.
create index organization_of_all_by_name on organization (name_lower);
create index organization_of_all_by_zoho_id on organization (zoho_id_lower);
