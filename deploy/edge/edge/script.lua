-- What Envoy's own filters cannot do: refuse bodies that were cut short, name unknown fields of uploads, and word the edge's own refusals.
-- The tables KNOWN, REFUSALS, EXPECTED and the constants above this line are generated from the protos.

local INFO = "type.googleapis.com/google.rpc.RequestInfo"
local BAD = "type.googleapis.com/google.rpc.BadRequest"

-- Whether the brackets of a JSON text close. The decompressor ends a stream with trailers, and there the transcoder waits for ever for the rest of cut-off JSON.
local function closes(text)
  local depth, at = 0, 1
  while true do
    local found = text:find('[%[%]{}"]', at)
    if not found then
      return depth == 0 and text:find("%S") ~= nil
    end
    local byte = text:byte(found)
    if byte == 34 then
      repeat
        found = text:find('["\\]', found + 1)
        if not found then
          return false
        end
        local escape = text:byte(found) == 92
        if escape then
          found = found + 1
        end
      until not escape
    elseif byte == 91 or byte == 123 then
      depth = depth + 1
    else
      depth = depth - 1
    end
    at = found + 1
  end
end

-- Where the word that ends before `stop` begins, if a quote stands before it; nil otherwise.
local function word_start(text, stop)
  local at = stop - 1
  while at > 0 do
    local byte = text:byte(at)
    -- 0-9 A-Z _ a-z
    if not ((byte >= 97 and byte <= 122) or (byte >= 65 and byte <= 90) or (byte >= 48 and byte <= 57) or byte == 95) then
      return byte == 34 and at < stop - 1 and at + 1 or nil
    end
    at = at - 1
  end
  return nil
end

-- The first ten keys in the JSON text that no upload holds, joined by commas, and the first key whose single value is given as a list; nil when there are none.
-- Plain finds and bytes instead of patterns: LuaJIT compiles those, which makes the search several times cheaper.
local function unknown_fields(text)
  local names, seen, listed = {}, {}, nil
  local stop = text:find('":', 1, true)
  while stop do
    local start = word_start(text, stop)
    if start and stop - start <= 64 then
      local name = text:sub(start, stop - 1)
      local known = KNOWN[name]
      if known == SINGLE and not listed then
        local at = stop + 2
        while text:byte(at) == 32 do
          at = at + 1
        end
        if text:byte(at) == 91 then
          listed = name
        end
      elseif not known and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
        if #names == 10 then
          break
        end
      end
    end
    stop = text:find('":', stop + 2, true)
  end
  return names[1] and table.concat(names, ","), listed
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local kind = headers:get("content-type") or ""
  if kind:find("^application/grpc") then
    return
  end
  -- Only gRPC callers may say these; with another's words in them a service would fail.
  headers:remove("grpc-encoding")
  headers:remove("grpc-timeout")
  local upload = SCAN_BYTES > 0 and headers:get(":path"):match("^[^?]*") == UPLOAD_PATH
  local packed = headers:get("content-encoding")
  local body = handle:body()
  if not body then
    return
  end
  if packed or not (kind == "" or kind:match("^[^;%s]*"):lower() == "application/json") then
    handle:respond({ [":status"] = "415" }, "")
    return
  end
  if handle:trailers() and not closes(body:getBytes(0, body:length())) then
    handle:respond({ [":status"] = "400" }, "")
    return
  end
  if upload then
    local names, listed = unknown_fields(body:getBytes(0, math.min(body:length(), SCAN_BYTES)))
    if names then
      handle:headers():add(UNKNOWN_FIELDS, names)
    end
    if listed then
      handle:streamInfo():dynamicMetadata():set("parkmesh", "listed", listed)
    end
  end
end

-- The field at fault in a message of the transcoder, as callers spell it, and the words for what it should be; nil when no field is named. Never the value.
local function violation(text)
  local query = text:match('^Could not find field "([%w_%.]+)"')
  if query then
    return query:sub(1, 64), EXPECTED.query
  end
  local path, rest = text:match("^([%l_][%w_%.%[%]]*): (.*)$")
  if not path then
    return nil
  end
  local kind = rest:match(" for type ([%w_%./]+)$") or ""
  if rest:find("^invalid value Starting an object") then
    if path:sub(-#kind) ~= kind then
      path = path .. "." .. kind
    end
    kind = "object"
  end
  local expected = EXPECTED[kind] or EXPECTED[""]
  return path:gsub("_(%w)", string.upper), expected
end

-- `listed`: the transcoder names the item, but not the field, where a list stands for a single value.
local function bad_request(text, listed)
  local field, expected = violation(text)
  if field and listed and field:find("^records%[%d+%]$") then
    field = field .. "." .. listed:gsub("_(%w)", string.upper)
  end
  if not field then
    return ""
  end
  return ',{"@type":"' .. BAD .. '","fieldViolations":[{"field":"' .. field .. '","reason":"type","description":"' .. expected.english
    .. '","localizedMessage":{"locale":"' .. CHINESE .. '","message":"' .. expected.chinese .. '"}}]}'
end

-- One more detail for a serialized google.rpc.Status: repeated fields are joined by joining bytes. All lengths are below 128.
local function request_info(id)
  if id == "" then
    return ""
  end
  local info = "\010" .. string.char(#id) .. id
  local any = "\010" .. string.char(#INFO) .. INFO .. "\018" .. string.char(#info) .. info
  return "\026" .. string.char(#any) .. any
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status, verb, cause = (headers:get(MARK) or ""):match("^(%d+) (%S+) (.*)$")
  if not status then
    return
  end
  local id = (headers:get(REQUEST) or ""):match("^[%w-]+$") or ""
  local grpc = headers:get("grpc-status")
  headers:remove(MARK)
  headers:remove(REQUEST)
  if cause == "ext_authz_denied" then
    return
  end
  local words = REFUSALS[tonumber(status)] or REFUSALS[status < "500" and 400 or 503]
  if grpc then
    headers:replace("grpc-status", tostring(words.code))
    headers:replace("grpc-message", words.message)
    headers:replace("grpc-status-details-bin", handle:base64Escape(words.status .. request_info(id)))
    return
  end
  headers:replace("content-type", "application/json")
  if verb == "HEAD" then
    return
  end
  local body = handle:body(true)
  local text = words.json
  if status == "400" then
    local noted = handle:streamInfo():dynamicMetadata():get("parkmesh") or {}
    text = text .. bad_request(tostring(body:getBytes(0, body:length())), noted.listed)
  end
  if id ~= "" then
    text = text .. ',{"@type":"' .. INFO .. '","requestId":"' .. id .. '"}'
  end
  handle:headers():replace("content-length", tostring(body:setBytes(text .. "]}")))
end
