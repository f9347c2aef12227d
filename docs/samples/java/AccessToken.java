import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** Client id and secret, exchanged for tokens; a token is renewed before it ends. 以密钥换取令牌，到期前更新 */
final class AccessToken implements Credential {
    private static final Duration MARGIN = Duration.ofSeconds(60);

    private final Platform platform;
    private final String clientId;
    private final String clientSecret;
    private String token = "";
    private long renewAtNanos;

    AccessToken(Platform platform, String clientId, String clientSecret) {
        this.platform = platform;
        this.clientId = clientId;
        this.clientSecret = clientSecret;
    }

    @Override
    public Map<String, String> headers(String method, String path, byte[] body)
            throws IOException, InterruptedException {
        if (token.isEmpty() || System.nanoTime() - renewAtNanos >= 0) {
            fetch();
        }
        return Map.of("Authorization", "Bearer " + token);
    }

    @Override
    public void discard() {
        token = "";
    }

    private void fetch() throws IOException, InterruptedException {
        String body = Json.write(Map.of("clientId", clientId, "clientSecret", clientSecret));
        Answer answer = platform.post("/v1/token", body.getBytes(StandardCharsets.UTF_8), Map.of());
        if (answer.status != 200) {
            throw new Refused(answer);
        }
        token = (String) answer.content.get("accessToken");
        Duration good = Duration.ofSeconds(((Number) answer.content.get("expiresIn")).longValue());
        renewAtNanos = System.nanoTime() + good.minus(MARGIN).toNanos();
    }
}
