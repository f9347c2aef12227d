#!lua name=parkmesh_log_1

-- The log's only writers. Everything one call writes reaches the append-only file as one MULTI/EXEC.
--
-- KEYS: 1 the stream, 2 the state hash, 3 the common part of the index hashes' names; all share one hash tag.
-- Stream entry: id <first offset>-<count>, fields t (acceptance, ms), l (lengths, u32 each), c (CRC-32 of each payload,
-- u32), b (payloads), s (check over all but the payloads, which c covers).
-- State: epoch; next (offset); accepted (ms, never goes back); one field per live index generation, named by the
-- time it begins, holding "<last acceptance> <last offset>".
-- Index: key -> digest prefix (16), first offset of the entry (u64), rank in the entry (u16).

local KEY, DIGEST = 16, 16
-- Arguments of one command: the server keeps ready-made objects for 32, and measured best between 30 and 300.
local LOOK_UP, CHUNK = 30, 200
local MAX_ITEMS, MAX_TRIM = 10000, 200000
local DUPLICATE, CONFLICT = 1, 2

-- The standard libraries do not exist yet while a function library is loading, so nothing is taken from them up here.

-- The rank of each record within its entry, packed once.
local RANKS = {}

-- Lua's own conversion keeps 14 digits only.
local function whole(number)
  return string.format('%.0f', number)
end

local function refuse(text)
  error({ err = text })
end

local function positive(text, name)
  local number = tonumber(text)
  if not number or number < 0 or number ~= math.floor(number) or number > 2 ^ 53 then
    refuse('ARGUMENT ' .. name .. ' is not a whole number')
  end
  return number
end

local function split(id)
  local first, count = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(first), tonumber(count)
end

local function load_state(keys, epoch)
  if #keys ~= 3 then
    refuse('ARGUMENT three keys are needed')
  end
  local flat = redis.call('HGETALL', keys[2])
  local state = { generations = {} }
  for i = 1, #flat, 2 do
    local field, value = flat[i], flat[i + 1]
    if field == 'epoch' then
      state.epoch = value
    elseif field == 'next' or field == 'accepted' then
      state[field] = tonumber(value)
    else
      local accepted, last = string.match(value, '^(%d+) (%d+)$')
      table.insert(state.generations, { name = field, accepted = tonumber(accepted), last = tonumber(last) })
    end
  end
  if state.epoch ~= epoch then
    refuse('EPOCH the log here is ' .. (state.epoch or 'missing'))
  end
  -- Normally nothing lies at or behind `next`. An entry there was left by a call that died between its writes.
  if #redis.call('XRANGE', keys[1], whole(state.next) .. '-0', '+', 'COUNT', 1) > 0 then
    local info = redis.call('XINFO', 'STREAM', keys[1])
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        local first, count = split(info[i + 1])
        state.next = first + count
      end
    end
  end
  return state
end

local function sizes_of(lengths, count)
  local sizes, total = {}, 0
  for from = 1, count, CHUNK do
    local many = math.min(CHUNK, count - from + 1)
    local part = { struct.unpack('>' .. string.rep('I4', many), lengths, from * 4 - 3) }
    for i = 1, many do
      sizes[from + i - 1] = part[i]
      total = total + part[i]
    end
  end
  return sizes, total
end

local function look_up(index, generations, ids)
  local known = {}
  for _, generation in ipairs(generations) do
    local name = index .. ':' .. generation.name
    for from = 1, #ids, LOOK_UP do
      local to = math.min(from + LOOK_UP - 1, #ids)
      local found = redis.call('HMGET', name, unpack(ids, from, to))
      for i = 1, to - from + 1 do
        if found[i] then
          known[from + i - 1] = found[i]
        end
      end
    end
  end
  return known
end

-- ARGV: 1 epoch, 2 acceptance (ms), 3 width of an index generation (ms), 4 keys (16 each), 5 digest prefixes (16 each),
-- 6 lengths (u32 each), 7 CRCs (u32 each), 8 payloads.
-- Answer: the first offset given out (0: none), then a string of 15 bytes for each item that was not accepted:
-- u32 index, u8 outcome, u64 + u16 offset of the first report. All other items have the next offset each.
local function append(keys, args)
  local sub, pack, concat = string.sub, struct.pack, table.concat
  if #args ~= 8 then
    refuse('ARGUMENT eight arguments are needed')
  end
  local packed, digests, lengths, crcs, body = args[4], args[5], args[6], args[7], args[8]
  local accepted, width = positive(args[2], 'acceptance'), positive(args[3], 'width')
  local count = #packed / KEY
  if count < 1 or count ~= math.floor(count) or count > MAX_ITEMS then
    refuse('ARGUMENT keys: wrong length')
  end
  if width == 0 then
    refuse('ARGUMENT width is zero')
  end
  if #digests ~= count * DIGEST then
    refuse('ARGUMENT digests: wrong length')
  end
  if #lengths ~= count * 4 or #crcs ~= count * 4 then
    refuse('ARGUMENT lengths or checksums: wrong length')
  end
  local sizes, total = sizes_of(lengths, count)
  if total ~= #body then
    refuse('ARGUMENT payloads: wrong length')
  end

  local state = load_state(keys, args[1])
  local ids = {}
  for i = 1, count do
    ids[i] = sub(packed, i * KEY - KEY + 1, i * KEY)
  end
  local known = look_up(keys[3], state.generations, ids)

  local first = pack('>I8', state.next)
  local here, pairs_to_set, fresh, others = {}, {}, {}, {}
  local taken = 0
  for i = 1, count do
    local id, digest = ids[i], sub(digests, i * DIGEST - DIGEST + 1, i * DIGEST)
    local value = known[i] or here[id]
    if value then
      local outcome = sub(value, 1, DIGEST) == digest and DUPLICATE or CONFLICT
      others[#others + 1] = pack('>I4B', i - 1, outcome) .. sub(value, DIGEST + 1)
    else
      taken = taken + 1
      local rank = RANKS[taken]
      if not rank then
        rank = pack('>I2', taken - 1)
        RANKS[taken] = rank
      end
      value = digest .. first .. rank
      here[id] = value
      fresh[taken] = i
      pairs_to_set[2 * taken - 1] = id
      pairs_to_set[2 * taken] = value
    end
  end
  if taken == 0 then
    return { 0, concat(others) }
  end

  if taken < count then
    local at, starts = 1, {}
    for i = 1, count do
      starts[i] = at
      at = at + sizes[i]
    end
    local new_lengths, new_crcs, new_body = {}, {}, {}
    for rank = 1, taken do
      local i = fresh[rank]
      new_lengths[rank] = sub(lengths, i * 4 - 3, i * 4)
      new_crcs[rank] = sub(crcs, i * 4 - 3, i * 4)
      new_body[rank] = sub(body, starts[i], starts[i] + sizes[i] - 1)
    end
    lengths, crcs, body = concat(new_lengths), concat(new_crcs), concat(new_body)
  end
  -- A clock that steps back must not break the order by which trimming searches.
  accepted = math.max(accepted, state.accepted)
  local id, time = whole(state.next) .. '-' .. whole(taken), whole(accepted)
  local check = sub(redis.sha1hex(concat({ id, time, lengths, crcs }, ' ')), 1, 16)
  local generation = whole(accepted - accepted % width)

  -- The record first, its keys last: an error in between can never leave a key without its record.
  redis.call('XADD', keys[1], id, 't', time, 'l', lengths, 'c', crcs, 'b', body, 's', check)
  redis.call('HSET', keys[2], 'next', whole(state.next + taken), 'accepted', time,
    generation, time .. ' ' .. whole(state.next + taken - 1))
  local index = keys[3] .. ':' .. generation
  for from = 1, 2 * taken, 2 * CHUNK do
    redis.call('HSET', index, unpack(pairs_to_set, from, math.min(from + 2 * CHUNK - 1, 2 * taken)))
  end
  return { state.next, concat(others) }
end

-- ARGV: 1 epoch, 2 keys (16 each). Answer: the index value of each key, or nil.
local function find(keys, args)
  local state = load_state(keys, args[1])
  local ids = {}
  for i = 1, #args[2] / KEY do
    ids[i] = string.sub(args[2], i * KEY - KEY + 1, i * KEY)
  end
  local known = look_up(keys[3], state.generations, ids)
  for i = 1, #ids do
    known[i] = known[i] or false
  end
  return known
end

-- The offset of the oldest record still here; `next` when there is none.
local function oldest(log, state)
  local entries = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)
  return entries[1] and split(entries[1][1]) or state.next
end

-- ARGV: 1 epoch. Answer: the oldest offset still here, the next offset to be given out.
local function edges(keys, args)
  local state = load_state(keys, args[1])
  return { oldest(keys[1], state), state.next }
end

local function time_of(entry)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 't' then
      return tonumber(fields[i + 1])
    end
  end
  refuse('CORRUPT entry ' .. entry[1] .. ' has no time')
end

-- ARGV: 1 epoch, 2 drained offset, 3 entries accepted later than this stay (ms), 4 generations touched later than this
-- stay (ms). Answer: entries trimmed now, generations dropped now, oldest offset still here.
local function trim(keys, args)
  if #args ~= 4 then
    refuse('ARGUMENT four arguments are needed')
  end
  local drained = positive(args[2], 'drained')
  local keep_after, forget_after = positive(args[3], 'time'), positive(args[4], 'time')
  local state = load_state(keys, args[1])
  if drained >= state.next then
    refuse('BEYOND the log ends at ' .. whole(state.next - 1))
  end

  -- Binary search for the first entry that must stay: acceptance never goes back along the stream.
  local low, high = oldest(keys[1], state), drained + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    -- The entry that holds offset `middle`.
    local entry = redis.call('XREVRANGE', keys[1], whole(middle) .. '-18446744073709551615', '-', 'COUNT', 1)[1]
    local first, count = split(entry[1])
    if first + count - 1 <= drained and time_of(entry) <= keep_after then
      low = first + count
    else
      high = first
    end
  end
  -- A bounded number at a time, so that no call blocks the server for long; the caller calls until nothing is trimmed.
  low = math.min(low, oldest(keys[1], state) + MAX_TRIM)
  local trimmed = redis.call('XTRIM', keys[1], 'MINID', '=', whole(low) .. '-0')

  local dropped = 0
  for _, generation in ipairs(state.generations) do
    if generation.accepted <= forget_after and generation.last <= drained then
      redis.call('HDEL', keys[2], generation.name)
      redis.call('UNLINK', keys[3] .. ':' .. generation.name)
      dropped = dropped + 1
    end
  end
  return { trimmed, dropped, oldest(keys[1], state) }
end

redis.register_function('parkmesh_log_1_append', append)
-- Trimming frees memory, so it must run above all when there is none left.
redis.register_function({ function_name = 'parkmesh_log_1_trim', callback = trim, flags = { 'allow-oom' } })
redis.register_function({ function_name = 'parkmesh_log_1_find', callback = find, flags = { 'no-writes' } })
redis.register_function({ function_name = 'parkmesh_log_1_edges', callback = edges, flags = { 'no-writes' } })
