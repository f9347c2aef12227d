-- The city's lots, ten to an operator.
INSERT INTO store.lots (lot_id, name, division_name, open_berths, state, operator_id, in_scope, version)
SELECT concat('lot_', leftPad(toString(number), 4, '0')), concat('停车场', toString(number)), '城厢区', 400, 2, concat('operator-', toString(number % 10)), true, 1
FROM numbers({lots:UInt64})
