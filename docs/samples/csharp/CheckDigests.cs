using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

/// <summary>Computes every digest and fingerprint of docs/vectors and compares. 用公布的测试向量核对摘要与集合指纹</summary>
public static class CheckDigests
{
    public static int Main(string[] arguments)
    {
        List<Dictionary<string, string>> records = Rows(Path.Combine(arguments[0], "records.csv"));
        foreach (Dictionary<string, string> row in records)
        {
            string text = Encoding.UTF8.GetString(RecordDigest.Canonical(row));
            if (text != row["canonical"].Replace("\\n", "\n") || Hex(RecordDigest.Digest(row)) != row["sha256"])
            {
                return Wrong(row["record_id"]);
            }
        }
        List<Dictionary<string, string>> sets = Rows(Path.Combine(arguments[0], "fingerprints.csv"));
        foreach (Dictionary<string, string> row in sets)
        {
            var digests = new List<byte[]>();
            foreach (string digest in row["digests"].Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries))
            {
                digests.Add(Bytes(digest));
            }
            bool agrees = digests.Count.ToString() == row["count"] && Hex(RecordDigest.Sum(digests)) == row["digest_sum_hex"];
            if (!agrees || RecordDigest.SumBase64(digests) != row["digest_sum_base64"])
            {
                return Wrong(row["case"]);
            }
        }
        Console.WriteLine(records.Count + " digests and " + sets.Count + " fingerprints agree");
        return 0;
    }

    /// <summary>The lines by the names of the columns; no value of these files has a comma or a quote.</summary>
    private static List<Dictionary<string, string>> Rows(string file)
    {
        var found = new List<Dictionary<string, string>>();
        string[] lines = File.ReadAllLines(file, Encoding.UTF8);
        string[] names = lines[0].Split(',');
        for (int line = 1; line < lines.Length; line++)
        {
            string[] values = lines[line].Split(',');
            var row = new Dictionary<string, string>();
            for (int column = 0; column < names.Length; column++)
            {
                row[names[column]] = values[column];
            }
            found.Add(row);
        }
        return found;
    }

    private static byte[] Bytes(string hex)
    {
        var found = new byte[hex.Length / 2];
        for (int place = 0; place < found.Length; place++)
        {
            found[place] = Convert.ToByte(hex.Substring(2 * place, 2), 16);
        }
        return found;
    }

    private static string Hex(byte[] bytes)
    {
        return BitConverter.ToString(bytes).Replace("-", "").ToLowerInvariant();
    }

    private static int Wrong(string what)
    {
        Console.WriteLine("wrong: " + what);
        return 1;
    }
}
