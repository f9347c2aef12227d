import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Uploads the records of a JSON file, {"records": [...]}, and prints what became of each. Exit code 0 only when every
 * record is stored. 上报 JSON 文件中的记录并逐条输出结果；全部入库时退出码为 0。
 *
 * <p>--url --ca --client-id, --client-secret or --signing-key, --records; or PARKMESH_URL and so on.
 */
public final class Sample {
    private static final int BATCH = 500;
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private Sample() {}

    public static void main(String[] arguments) throws Exception {
        Settings settings = new Settings(arguments, System.getenv());
        Platform platform = new Platform(settings.required("url"), settings.optional("ca"));
        Uploader uploader = new Uploader(platform, credential(settings, platform));
        String file = Files.readString(Path.of(settings.required("records")));
        List<Map<String, Object>> records = Json.objects(Json.object(Json.parse(file)).get("records"));
        int lost = 0;
        for (int start = 0; start < records.size(); start += BATCH) {
            List<Map<String, Object>> batch = records.subList(start, Math.min(start + BATCH, records.size()));
            try {
                lost += print(batch, uploader.upload(batch));
            } catch (Refused refused) {
                OUT.println(refused.getMessage());
                lost += batch.size();
            } catch (IOException unanswered) {
                OUT.println("no answer 未获应答: " + unanswered);
                lost += batch.size();
            }
        }
        OUT.println(records.size() - lost + " of " + records.size() + " stored 已入库");
        System.exit(lost == 0 ? 0 : 1);
    }

    private static Credential credential(Settings settings, Platform platform) {
        String clientId = settings.required("client-id");
        String signingKey = settings.optional("signing-key");
        return signingKey.isEmpty()
                ? new AccessToken(platform, clientId, settings.required("client-secret"))
                : new RequestSignature(clientId, signingKey);
    }

    /** Prints the results and counts the records that are not stored. */
    private static int print(List<Map<String, Object>> batch, Map<Integer, Map<String, Object>> results) {
        int lost = 0;
        for (int place = 0; place < batch.size(); place++) {
            Map<String, Object> item = results.getOrDefault(place, Map.of());
            String outcome = text(item, "outcome", "ACCEPTED").replace("OUTCOME_", "");
            StringBuilder line = new StringBuilder(batch.get(place).get("recordId") + ": " + outcome);
            if (!outcome.equals("ACCEPTED") && !outcome.equals("DUPLICATE")) {
                lost++;
                line.append(' ').append(text(item, "reason", "").replace("ERROR_REASON_", ""));
                line.append(' ').append(text(item, "field", "").replaceFirst("^records\\[\\d+]\\.?", ""));
                line.append(": ").append(text(item, "message", "")).append(' ').append(text(item, "messageZh", ""));
            } else if (item.get("warnings") instanceof List) {
                ((List<?>) item.get("warnings")).forEach(warning -> line.append(' ').append(warning));
            }
            OUT.println(line);
        }
        return lost;
    }

    private static String text(Map<String, Object> item, String name, String otherwise) {
        return String.valueOf(item.getOrDefault(name, otherwise));
    }
}
