//! What templates render.
#![allow(clippy::unwrap_used)]

use std::rc::Rc;

use proptest::prelude::*;

use super::*;

/// `$input` as a template of API Gateway sees it, in small.
struct Input;

impl Object for Input {
    fn property(&self, name: &str) -> Option<Value> {
        (name == "body").then(|| Value::from("{}"))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        match (name, arguments) {
            ("params", [Value::Text(name)]) => Ok(Value::from(format!("<{name}>"))),
            ("path", [_]) => Ok(Value::from(&serde_json::json!({"a": {"b": [1, 2.5, "x"]}, "none": null}))),
            _ => Err(Error::Method(format!("$input has no method {name}"))),
        }
    }

    fn text(&self) -> String {
        "input".into()
    }
}

fn rendered(template: &str) -> Result<String, Error> {
    let mut variables = Variables::new();
    variables.insert("input".into(), Value::Object(Rc::new(Input)));
    variables.insert("name".into(), Value::from("Ana"));
    Template::parse(template)?.render(&mut variables)
}

fn check(template: &str, expected: &str) {
    assert_eq!(rendered(template).unwrap(), expected, "{template}");
}

#[test]
fn references_print_their_values_and_unknown_ones_themselves() {
    check("$name ${name}s $!name $!{name}", "Ana Anas Ana Ana");
    check("$missing $!missing ${missing.x} $!{missing.x}.", "$missing  ${missing.x} .");
    check("$5 $ ${ $! a$", "$5 $ ${ $! a$");
    check("$input.params('x')-$input.body.length()", "<x>-2");
    check("$input.path('$').a.b[1] $input.path('$').none $input.path('$').a", "2.5  {b=[1,2.5,\"x\"]}");
}

#[test]
fn backslashes_escape_what_they_stand_before() {
    check(r"\$name \\$name \$missing", r"$name \Ana \$missing");
    check(r"\#if \\#set($x = 1)$x a\b", r"#if \1 a\b");
}

#[test]
fn set_keeps_the_old_value_when_there_is_no_new_one() {
    check("#set($a = 1)\n#set($a = $missing)\n$a", "1");
    check("#set($a = $missing)[$a]", "[]");
    check("#set( $map = {'a': 1, \"b\": [1, 2]} )$map.a $map.b[1] $map['a']", "1 2 1");
    check("#set($map = {})#set($map.x = 'y')#set($map['z'] = 2)$map", "{x=y, z=2}");
    check("#set($list = [1, 2])#set($list[0] = 'n')$list", "[n, 2]");
}

#[test]
fn conditions_choose() {
    // What is not there is like an empty text, as at API Gateway.
    check("#if($none.of.it == '')a#end#if($none != '')b#end#if('x' == $none)c#end#if($none == $null)d#end", "ad");
    check("#if($name == 'Ana')yes#{else}no#end", "yes");
    check("#if($missing)a#elseif(1 > 2)b#else c#end", " c");
    check("#if(!$missing && (2 >= 2 or false))x#end", "x");
    check("#if(1 lt 2 and 'a' ne 'b')x#end#if(\"\")empty is true#end", "xempty is true");
    check("#if(true)\n  line\n#end\nnext", "  line\nnext");
    check("#if('a' < 'b')never#{else}not comparable#end", "not comparable");
}

#[test]
fn loops_go_round() {
    check("#foreach($x in [1..3])$x#if($foreach.hasNext),#end#end $!x", "1,2,3 ");
    check("#foreach($x in ['a','b'])$velocityCount:$foreach.index:$x #end", "1:0:a 2:1:b ");
    check("#set($m = {'k': 'v'})#foreach($e in $m.entrySet())$e.key=$e.value#end", "k=v");
    check("#foreach($x in [3..1])#if($x == 1)#break#end$x#end.", "32.");
    check("a#stop b", "a");
    check("#foreach($x in $missing)x#end.", ".");
    check("#foreach($a in [1,2])#foreach($b in [1,2])$foreach.count#end$foreach.count #end", "121 122 ");
}

#[test]
fn arithmetic_is_java_s() {
    check("#set($x = 7 / 2)$x #set($x = 7 % 4 * 2 + 1)$x #set($x = 1.0 + 2)$x", "3 7 3.0");
    check("#set($x = 'a' + 1 + 2)$x #set($x = -(3))$x #set($x = 1 - -1)$x", "a12 -3 2");
    check("#set($x = 5)#set($x = 1 / 0)$x", "5");
    check("#set($n = 0)#set($n = $n.parseInt('42') + 1)$n", "43");
}

#[test]
fn methods_of_texts_lists_and_maps() {
    check("$name.toUpperCase().substring(1, 3)$name.indexOf('a')$name.replace('n', '-')", "NA2A-a");
    check("#set($t = 'a,b,,')$t.split(',').size()$t.replaceAll('([a-z])', '<$1>')", "2<a>,<b>,,");
    check("#set($l = [])#set($d = $l.add('x'))$l.size()$l.get(0)$d", "1xtrue");
    check("#set($m = {})#set($d = $m.put('k', 1))$m.containsKey('k')$m.keySet()", "true[k]");
    check("$name.matches('A.a')$name.equals('Ana')$name.length()", "truetrue3");
}

#[test]
fn comments_and_unparsed_text() {
    check("a## gone\nb#* gone\ntoo *#c#[[ $name #if ]]#d", "abc $name #if d");
    check(r##"{"color": "#fff", "n": "#"}"##, r##"{"color": "#fff", "n": "#"}"##);
}

#[test]
fn texts_in_double_quotes_are_templates() {
    check("#set($x = \"hi $name#if(true)!#end\")$x #set($y = 'hi $name')$y", "hi Ana! hi $name");
    check("#set($x = \"say \\\"x\\\"\")$x", "say \"x\"");
}

#[test]
fn what_is_not_supported_or_wrong_is_said_with_its_place() {
    let error = Template::parse("a\n#macro(x)#end").unwrap_err();
    assert_eq!(error, Error::Unsupported { directive: "macro".into(), line: 2 });
    let error = Template::parse("#if(true)\nx").unwrap_err();
    assert!(error.to_string().contains("#if has no #end"), "{error}");
    assert!(matches!(Template::parse("#end"), Err(Error::Syntax { .. })));
    assert!(matches!(Template::parse("#set($x = )"), Err(Error::Syntax { line: 1, column: 11, .. })));
    assert!(rendered("$name.explode()").unwrap_err().to_string().contains("a text has no method explode"));
    assert!(rendered("$input.nothing()").is_err());
}

#[test]
fn nothing_runs_or_grows_without_an_end() {
    assert_eq!(rendered("#foreach($x in [1..1001])x#end").unwrap_err(), Error::Limit("1,000 elements of a range"));
    let nested = "#if(true)".repeat(100) + &"#end".repeat(100);
    assert_eq!(Template::parse(&nested).unwrap_err(), Error::Limit("32 levels of nesting"));
    let parentheses = format!("#if({}1{})x#end", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(Template::parse(&parentheses).unwrap_err(), Error::Limit("32 levels of nesting"));
    let doubling = "#set($x = 'aaaaaaaa')#foreach($i in [1..100])#set($x = $x + $x)#end$x";
    assert_eq!(rendered(doubling).unwrap_err(), Error::Limit("10 MiB of text"));
    let loops = "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#end#end#end";
    assert_eq!(rendered(loops).unwrap_err(), Error::Limit("steps of one rendering"));
    // A list in itself, and lists that double in depth.
    check("#set($l = [])#set($d = $l.add($l))$l.size()", "1");
    assert!(rendered("#set($l = [])#set($d = $l.add($l))$l").unwrap().len() < 1000);
    let tree = "#set($l = ['x'])#foreach($i in [1..31])#set($l = [$l, $l])#end$l";
    assert_eq!(rendered(tree).unwrap_err(), Error::Limit("10 MiB of output"));
}

#[test]
fn json_goes_in_and_comes_out() {
    let json = serde_json::json!({"a": [1, 2.5, null, {"b": "ç"}], "t": true});
    assert_eq!(Value::from(&json).to_json(), json);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[$#!{}()\\[\\]a-f.,'\"\\\\ =+*/<>&|0-9\n-]{0,80}") {
        let _ = rendered(&text);
    }

    #[test]
    fn text_without_marks_is_its_own_rendering(text in "[^$#\\\\]{0,200}") {
        prop_assert_eq!(rendered(&text).unwrap(), text);
    }

    #[test]
    fn words_of_the_language_in_any_order_do_not_panic(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "#if(", "#set(", "$x", "=", ")", "#end", "#else", "#foreach(", "in", "[1..3]", "$name", ".length()", "#*", "*#",
                "#[[", "]]#", "\"", "'", "{", "}", "${", "#elseif(", "true", "1", "+", "\n",
            ]),
            0..30,
        )
    ) {
        let _ = rendered(&words.join(""));
        let _ = rendered(&words.join(" "));
    }
}
