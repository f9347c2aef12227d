import java.util.List;
import java.util.Map;

/** What the platform answered: with status 200 the result, otherwise a google.rpc.Status. 平台应答 */
final class Answer {
    final int status;
    final Map<String, Object> content;

    Answer(int status, String body) {
        this.status = status;
        this.content = parsed(body);
    }

    /** A number of the result; 0 when it is not there. */
    long number(String name) {
        Object found = content.get(name);
        return found instanceof Number ? ((Number) found).longValue() : 0;
    }

    /** The ErrorInfo's reason, such as RATE_LIMITED; empty without one. 拒绝原因 */
    String reason() {
        return String.valueOf(detail("ErrorInfo").getOrDefault("reason", ""));
    }

    /** How long the platform asks to wait, in milliseconds; 0 when it does not say. 建议等待毫秒数 */
    long retryAfterMillis() {
        String asked = String.valueOf(detail("RetryInfo").getOrDefault("retryDelay", "0s"));
        return (long) Math.ceil(Double.parseDouble(asked.replace("s", "")) * 1000);
    }

    /** Why the whole request was refused, with every field at fault, in English and Chinese. 整体拒绝的说明 */
    String refusal() {
        StringBuilder text = new StringBuilder("HTTP " + status + " " + reason() + ": " + content.get("message"));
        text.append(' ').append(detail("LocalizedMessage").getOrDefault("message", ""));
        for (Map<String, Object> each : Json.objects(detail("BadRequest").get("fieldViolations"))) {
            text.append("\n  ").append(each.get("field")).append(" [").append(each.get("reason")).append("]: ");
            text.append(each.get("description")).append(' ');
            text.append(Json.object(each.get("localizedMessage")).get("message"));
        }
        return text.append("\n  request ").append(detail("RequestInfo").get("requestId")).toString();
    }

    private Map<String, Object> detail(String type) {
        List<Map<String, Object>> details = Json.objects(content.get("details"));
        return details.stream()
                .filter(each -> String.valueOf(each.get("@type")).endsWith("." + type))
                .findFirst()
                .orElse(Map.of());
    }

    private static Map<String, Object> parsed(String body) {
        try {
            return Json.object(Json.parse(body));
        } catch (IllegalArgumentException notJson) {
            return Map.of(); // from a proxy on the way: the status must do
        }
    }
}
