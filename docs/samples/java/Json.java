import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON with nothing but the JDK; in your own software use the library that you have. 精简 JSON，仅供示例 */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Maps, lists, strings, numbers (Long or Double), booleans, null. IllegalArgumentException when it is no JSON. */
    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        if (json.peek() != 0) {
            throw json.wrong();
        }
        return value;
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    /** The value as an object; an empty one when it is none. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return value instanceof Map ? (Map<String, Object>) value : Map.of();
    }

    /** The objects of a list; none when it is no list. */
    static List<Map<String, Object>> objects(Object value) {
        List<Map<String, Object>> found = new ArrayList<>();
        if (value instanceof List) {
            ((List<?>) value).forEach(each -> found.add(object(each)));
        }
        return found;
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map) {
            String comma = "{";
            for (Map.Entry<?, ?> each : ((Map<?, ?>) value).entrySet()) {
                write(each.getKey(), out.append(comma));
                write(each.getValue(), out.append(':'));
                comma = ",";
            }
            out.append(comma.equals("{") ? "{}" : "}");
        } else if (value instanceof List) {
            String comma = "[";
            for (Object each : (List<?>) value) {
                write(each, out.append(comma));
                comma = ",";
            }
            out.append(comma.equals("[") ? "[]" : "]");
        } else if (value instanceof String) {
            out.append('"');
            for (char each : ((String) value).toCharArray()) {
                boolean plain = each >= ' ' && each != '"' && each != '\\';
                out.append(plain ? String.valueOf(each) : String.format("\\u%04x", (int) each));
            }
            out.append('"');
        } else {
            out.append(value);
        }
    }

    private Object value() {
        switch (peek()) {
            case '{':
                return members();
            case '[':
                return elements();
            case '"':
                return string();
            default:
                return literal();
        }
    }

    private Map<String, Object> members() {
        Map<String, Object> found = new LinkedHashMap<>();
        take('{');
        while (peek() != '}') {
            String name = string();
            take(':');
            found.put(name, value());
            if (peek() != '}') {
                take(',');
            }
        }
        take('}');
        return found;
    }

    private List<Object> elements() {
        List<Object> found = new ArrayList<>();
        take('[');
        while (peek() != ']') {
            found.add(value());
            if (peek() != ']') {
                take(',');
            }
        }
        take(']');
        return found;
    }

    private String string() {
        StringBuilder found = new StringBuilder();
        take('"');
        while (true) {
            char next = next();
            if (next == '"') {
                return found.toString();
            }
            found.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        char next = next();
        int simple = "bfnrt".indexOf(next);
        if (simple >= 0) {
            return "\b\f\n\r\t".charAt(simple);
        }
        if (next != 'u' || at + 4 > text.length()) {
            return next;
        }
        at += 4;
        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
    }

    private Object literal() {
        int start = at;
        while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(start, at);
        switch (word) {
            case "true":
                return true;
            case "false":
                return false;
            case "null":
                return null;
            default:
                return number(word);
        }
    }

    private static Object number(String word) {
        if (word.matches("-?\\d{1,18}")) {
            return Long.valueOf(word);
        }
        return Double.valueOf(word);
    }

    private char peek() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private char next() {
        if (at == text.length()) {
            throw wrong();
        }
        return text.charAt(at++);
    }

    private void take(char wanted) {
        if (peek() != wanted) {
            throw wrong();
        }
        at++;
    }

    private IllegalArgumentException wrong() {
        return new IllegalArgumentException("no JSON at character " + at);
    }
}
