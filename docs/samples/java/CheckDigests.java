import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Computes every digest and fingerprint of docs/vectors and compares. 用公布的测试向量核对摘要与集合指纹 */
public final class CheckDigests {
    private CheckDigests() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        List<Map<String, String>> records = rows(folder.resolve("records.csv"));
        for (Map<String, String> row : records) {
            String text = new String(RecordDigest.canonical(row), StandardCharsets.UTF_8);
            boolean agrees = text.equals(row.get("canonical").replace("\\n", "\n"));
            if (!agrees || !hex(RecordDigest.digest(row)).equals(row.get("sha256"))) {
                fail(row.get("record_id"));
            }
        }
        List<Map<String, String>> sets = rows(folder.resolve("fingerprints.csv"));
        for (Map<String, String> row : sets) {
            List<byte[]> digests = new ArrayList<>();
            for (String digest : row.get("digests").split(" ")) {
                if (!digest.isEmpty()) {
                    digests.add(bytes(digest));
                }
            }
            Map<String, Object> made = RecordDigest.fingerprint(digests);
            boolean agrees = made.get("count").toString().equals(row.get("count"));
            if (!agrees || !made.get("digestSum").equals(row.get("digest_sum_base64"))) {
                fail(row.get("case"));
            }
        }
        System.out.println(records.size() + " digests and " + sets.size() + " fingerprints agree");
    }

    /** The lines by the names of the columns; no value of these files has a comma or a quote. */
    private static List<Map<String, String>> rows(Path file) throws IOException {
        List<Map<String, String>> found = new ArrayList<>();
        List<String> lines = Files.readAllLines(file);
        String[] names = lines.get(0).split(",");
        for (String line : lines.subList(1, lines.size())) {
            String[] values = line.split(",", -1);
            Map<String, String> row = new HashMap<>();
            for (int column = 0; column < names.length; column++) {
                row.put(names[column], values[column]);
            }
            found.add(row);
        }
        return found;
    }

    private static byte[] bytes(String hex) {
        byte[] found = new byte[hex.length() / 2];
        for (int place = 0; place < found.length; place++) {
            found[place] = (byte) Integer.parseInt(hex.substring(2 * place, 2 * place + 2), 16);
        }
        return found;
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte each : bytes) {
            text.append(String.format("%02x", each));
        }
        return text.toString();
    }

    private static void fail(String what) {
        System.out.println("wrong: " + what);
        System.exit(1);
    }
}
