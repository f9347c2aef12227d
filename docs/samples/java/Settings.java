import java.util.Map;

/**
 * What the sample is told: by {@code --name value}, or else by the environment variable {@code PARKMESH_NAME}.
 * 运行参数：命令行优先，其次为环境变量。
 */
final class Settings {
    private final String[] arguments;
    private final Map<String, String> environment;

    Settings(String[] arguments, Map<String, String> environment) {
        this.arguments = arguments;
        this.environment = environment;
    }

    /** The value; empty when there is none. */
    String optional(String name) {
        for (int index = 0; index + 1 < arguments.length; index += 2) {
            if (arguments[index].equals("--" + name)) {
                return arguments[index + 1];
            }
        }
        return environment.getOrDefault("PARKMESH_" + name.toUpperCase().replace('-', '_'), "");
    }

    /** The value; IllegalArgumentException when there is none. */
    String required(String name) {
        String value = optional(name);
        if (value.isEmpty()) {
            throw new IllegalArgumentException("--" + name + " is required 必填");
        }
        return value;
    }
}
