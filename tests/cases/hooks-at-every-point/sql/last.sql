CREATE VIEW of_view AS SELECT * FROM large;
COMMENT ON VIEW of_view IS 'made last';
