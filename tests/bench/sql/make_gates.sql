-- Two gates in each lot.
INSERT INTO store.gates (lot_id, gate_id, name, state, lane_ids, lane_directions, version)
SELECT concat('lot_', leftPad(toString(intDiv(number, 2)), 4, '0')), toString(number % 2 + 1), '文献路一号出入口', 1, ['1'], [3], 1
FROM numbers({lots:UInt64} * 2)
