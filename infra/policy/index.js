// Pulumi requires the pack's directory, and takes JavaScript there only.
import "./pack.ts";
