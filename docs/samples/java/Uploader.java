import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLException;

/** Uploads one batch of 1 to 1,000 records until each is decided. 上报一批记录，直至逐条有结果 */
final class Uploader {
    private static final String PATH = "/v1/records:upload";
    private static final List<String> COUNTS =
            List.of("accepted", "duplicate", "conflicting", "rejected", "deferred");

    private final Platform platform;
    private final Credential credential;

    Uploader(Platform platform, Credential credential) {
        this.platform = platform;
        this.credential = credential;
    }

    /**
     * The platform's last word on every record that was not newly stored or has warnings, by its place in the batch.
     * Records that it put off (DEFERRED) are sent again under the same ids. Refused when the whole batch cannot be
     * taken; IOException when the platform did not answer at last: keep the batch and send it again later.
     */
    Map<Integer, Map<String, Object>> upload(List<Map<String, Object>> records)
            throws IOException, InterruptedException {
        Map<Integer, Map<String, Object>> results = new TreeMap<>();
        List<Integer> open = new ArrayList<>();
        for (int place = 0; place < records.size(); place++) {
            open.add(place);
        }
        for (int failures = 1; ; failures++) {
            List<Object> batch = new ArrayList<>();
            open.forEach(place -> batch.add(records.get(place)));
            byte[] body = Json.write(Map.of("records", batch)).getBytes(StandardCharsets.UTF_8);
            Answer answer = patiently(body, batch.size());
            List<Integer> deferred = new ArrayList<>();
            for (Map<String, Object> item : Json.objects(answer.content.get("items"))) {
                int place = open.get(((Number) item.get("index")).intValue());
                results.put(place, item);
                if ("OUTCOME_DEFERRED".equals(item.get("outcome"))) {
                    deferred.add(place);
                }
            }
            if (deferred.isEmpty() || failures == RetryTable.ATTEMPTS) {
                return results;
            }
            open = deferred;
            Thread.sleep(RetryTable.delayMillis(failures, answer.number("retryAfterMs")));
            open.forEach(results::remove);
        }
    }

    private Answer patiently(byte[] body, int size) throws IOException, InterruptedException {
        boolean renewed = false;
        for (int failures = 1; ; failures++) {
            long askedMillis = 0;
            try {
                return once(body, size);
            } catch (Refused refused) {
                RetryTable.Verdict verdict = RetryTable.verdict(refused.answer);
                if (verdict == RetryTable.Verdict.RENEW && !renewed) {
                    renewed = true;
                    credential.discard();
                    continue;
                }
                if (verdict != RetryTable.Verdict.LATER || failures == RetryTable.ATTEMPTS) {
                    throw refused;
                }
                askedMillis = refused.answer.retryAfterMillis();
            } catch (SSLException untrusted) {
                throw untrusted; // no retry makes a certificate right
            } catch (IOException unanswered) {
                if (failures == RetryTable.ATTEMPTS) {
                    throw unanswered;
                }
            }
            Thread.sleep(RetryTable.delayMillis(failures, askedMillis));
        }
    }

    private Answer once(byte[] body, int size) throws IOException, InterruptedException {
        Answer answer = platform.post(PATH, body, credential.headers("POST", PATH, body));
        if (answer.status != 200) {
            throw new Refused(answer);
        }
        // A page of a proxy on the way is no acknowledgement.
        if (COUNTS.stream().mapToLong(answer::number).sum() != size) {
            throw new IOException("the answer does not add up 应答条数不符");
        }
        return answer;
    }
}
