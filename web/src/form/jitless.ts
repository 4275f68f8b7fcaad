// Zod would otherwise compile validators with eval, which the content security policy forbids.
// Imported for its effect by every module that makes a schema.
import { config } from "zod/mini";

config({ jitless: true });
