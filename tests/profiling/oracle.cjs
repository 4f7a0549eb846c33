// What npm's mongodb-schema says of documents: types and their counts by path, as JSON on standard output.
// node oracle.cjs FILE, where FILE holds BSON documents one after the other.
const fs = require("fs");
const { parseSchema } = require("mongodb-schema");
const { deserialize } = require("bson");

const NAMES = {
  Document: "object", Array: "array", String: "string", Int32: "int", Double: "double", Number: "double",
  Long: "long", Boolean: "bool", Date: "date", Null: "null", ObjectId: "objectId", Decimal128: "decimal",
  Binary: "binData", BSONRegExp: "regex", RegExp: "regex", Code: "javascript", Timestamp: "timestamp",
  MinKey: "minKey", MaxKey: "maxKey", BSONSymbol: "symbol", Symbol: "symbol",
};

function* documents(data) {
  for (let at = 0; at < data.length; ) {
    const size = data.readInt32LE(at);
    yield deserialize(data.subarray(at, at + size), { promoteValues: false, bsonRegExp: true });
    at += size;
  }
}

const counts = {};

function note(path, types) {
  for (const type of types) {
    if (type.name === "Undefined") continue; // how it counts documents without the field
    const name = NAMES[type.name] ?? type.name;
    (counts[path] ??= {})[name] = (counts[path][name] ?? 0) + type.count;
    if (type.name === "Document") fields(type.fields, path);
    if (type.name === "Array") note(`${path}[]`, type.types);
  }
}

function fields(list, above) {
  for (const field of list) note(above ? `${above}.${field.name}` : field.name, field.types);
}

(async () => {
  const schema = await parseSchema([...documents(fs.readFileSync(process.argv[2]))], { storeValues: false });
  fields(schema.fields, "");
  console.log(JSON.stringify({ count: schema.count, paths: counts }));
})();
