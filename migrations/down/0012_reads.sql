drop index reports_reporter, former_members_changed;
