-- The city's operators.
INSERT INTO store.operators (operator_id, name, version)
SELECT concat('operator-', toString(number)), concat('公司', toString(number)), 1
FROM numbers(10)
