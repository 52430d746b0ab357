-- Rows of `connection` are written all the time by their use and their refreshes. Room on their pages
-- keeps the new version beside the old one, and most of it out of the indexes.
alter table connection set (fillfactor = 80);
