-- Operators search by prefix.
create index person_of_all_by_email on person (email_lower);
